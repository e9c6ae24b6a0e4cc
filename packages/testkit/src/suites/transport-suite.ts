import type { SuiteRunner } from './runner.ts'
import type { CreateTransports } from './transport/fixture.ts'
import { linkTests } from './transport/links.ts'
import { notificationTests } from './transport/notifications.ts'
import { requestTests } from './transport/requests.ts'
import { streamTests } from './transport/streams.ts'

export type { TransportFixture } from './transport/fixture.ts'

/** The compliance suite of `Transport`: every transport passes it. */
export function transportSuite(runner: SuiteRunner, create: CreateTransports): void {
  linkTests(runner, create)
  notificationTests(runner, create)
  requestTests(runner, create)
  streamTests(runner, create)
}
