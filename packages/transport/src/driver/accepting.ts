import { createConnection } from 'node:net'

/**
 * Whether a connection is accepted. The host's kernel does that for a process that listens, so it says nothing of how busy
 * the process is. The connection is closed again at once.
 */
export function isAccepted(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, signal })
    const done = (accepted: boolean): void => {
      socket.destroy()
      resolve(accepted)
    }
    socket.once('connect', () => done(true))
    // Refused, unreachable, or out of time: in no case is somebody known to be there.
    socket.once('error', () => done(false))
  })
}
