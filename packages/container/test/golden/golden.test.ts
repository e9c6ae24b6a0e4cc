import { describe, expect, test } from '@jest/globals'
import { goldenSuite, playByLine } from '@cluster/testkit'
import { Script } from './script.ts'

const play = playByLine(() => {
  const script = new Script()
  return (line) => script.run(line)
})

goldenSuite({ describe, expect, test }, 'golden scripts of the machine of containers', new URL('.', import.meta.url), play)
