import { containersSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { containersCluster } from './containers-cluster.ts'

containersSuite({ describe, test, expect }, async () => containersCluster('containers'))
