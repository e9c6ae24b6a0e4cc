import { describe, expect, test } from '@jest/globals'
import { goldenSuite, playAtOnce } from '@cluster/testkit'
import { playScript } from './script.ts'

goldenSuite(
  { describe, expect, test },
  'statements and their plans',
  new URL('.', import.meta.url),
  playAtOnce(playScript),
)
