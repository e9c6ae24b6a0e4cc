import { mutexSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { modelCluster } from './model-cluster.ts'

mutexSuite({ describe, test, expect }, async () => modelCluster())
