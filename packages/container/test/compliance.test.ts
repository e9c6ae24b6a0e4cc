import { containersSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { modelCluster } from './model-cluster.ts'

containersSuite({ describe, test, expect }, async () => modelCluster())
