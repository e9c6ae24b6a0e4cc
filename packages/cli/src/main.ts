import { commandLine, startErrorText } from './options.ts'

try {
  // What runs a node is loaded when one is asked for: help and slips of the finger are answered at once.
  await commandLine({
    start: async (options) => (await import('./start.ts')).start(options),
    async export(file, options) {
      const { exportTask } = await import('./transfer.ts')
      await (await import('./start.ts')).start(options, exportTask(file, options))
    },
    async import(file, options) {
      const { importTask } = await import('./transfer.ts')
      await (await import('./start.ts')).start(options, importTask(file, options))
    },
  }).parseAsync()
} catch (error) {
  process.stderr.write(`${startErrorText(error)}\n`)
  process.exitCode = 1
}
// What was written leaves before the process does; a pending read of standard input must not keep it.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve())
  })
}
process.exit()
