import { mutexSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { mutexCluster } from './mutex-cluster.ts'

mutexSuite({ describe, test, expect }, async () => mutexCluster('locks'))
