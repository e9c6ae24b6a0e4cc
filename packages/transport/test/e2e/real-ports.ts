import { randomFillSync } from 'node:crypto'
import { type Clock, type Logger, type Random, silentLogger } from '@cluster/core'

/** The platform's time, for tests with real sockets. */
const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
}

const realRandom: Random = {
  uint32: () => new DataView(randomFillSync(new Uint8Array(4)).buffer).getUint32(0),
  bytes: (length) => randomFillSync(new Uint8Array(length)),
}

/** Prints every line when the environment asks for it. */
const testLogger: Logger = process.env['LOG']
  ? {
      log: (level, event, fields) => console.log(level, event, JSON.stringify(fields)),
      child: () => testLogger,
    }
  : silentLogger

export const realPorts = { clock: realClock, random: realRandom, logger: testLogger }
