import { commandTests } from './ordered-log/commands.ts'
import type { CreateLogs, OrderedLogAbilities } from './ordered-log/fixture.ts'
import { severalNodesTests } from './ordered-log/several-nodes.ts'
import type { SuiteRunner } from './runner.ts'

export type { OrderedLogAbilities, OrderedLogFixture } from './ordered-log/fixture.ts'

/** The compliance suite of `OrderedLog`: what every one holds to. */
export function orderedLogSuite(
  runner: SuiteRunner,
  make: CreateLogs,
  { severalNodes = true }: OrderedLogAbilities = {},
): void {
  commandTests(runner, make, severalNodes)
  if (severalNodes) severalNodesTests(runner, make)
}
