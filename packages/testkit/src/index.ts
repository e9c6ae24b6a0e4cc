export { checkAcknowledged, type WriteBook, type WriteProblem } from './check/acknowledged.ts'
export { type Dependency, DependencyGraph, type DependencyKind } from './check/dependency-graph.ts'
export {
  checkLinearizable,
  type LinearizabilityVerdict,
  type Operation,
  type SequentialModel,
} from './check/linearizability.ts'
export {
  checkListAppend,
  type ListAnomaly,
  type ListAnomalyKind,
  type ListHistory,
  type ListResults,
  type ListStep,
  type ListTransaction,
} from './check/list-append.ts'
export {
  MET,
  narrowUnknown,
  type RegistersInput,
  type RegistersOutput,
  registers,
} from './check/registers.ts'
export { MemoryDisk } from './model/memory-disk.ts'
export { mirrorStorage } from './model/mirror-storage.ts'
export { type ModelDatabases, type ModelDatabasesOptions, modelDatabases } from './model/model-database.ts'
export { type ModelEntry, type ModelLog, type ModelLogOptions, modelLog } from './model/model-log.ts'
export { runModelProgram } from './model/model-program.ts'
export { type ModelStorageDisk, modelStorage } from './model/model-storage.ts'
export { type ModelApp, modelWorld } from './model/model-world.ts'
export { StillClock } from './model/still-clock.ts'
export { TransportPeers } from './model/transport-peers.ts'
export { answerCalls, CalledProcess, type ProgramCommand } from './real/called-process.ts'
export { selfSigned } from './real/certificate.ts'
export { type GoldenPlay, goldenSuite, playAtOnce, playByLine } from './real/golden-suite.ts'
export { type AttackKind, type AttackOptions, type AttackReport, wireAttack } from './real/wire-attack.ts'
/** The client's side of PostgreSQL's protocol, byte for byte. */
export * as wire from './real/wire-client.ts'
export { type ScramLogin, scramLogin } from './real/wire-scram.ts'
export { type FaultKind, type FaultWeights, storm } from './sim/fault-kinds.ts'
export { defaultNemesis, Nemesis, type NemesisOptions } from './sim/nemesis.ts'
export { calmNetwork, type NetworkFaults, SimNetwork } from './sim/network.ts'
export { type DiskFaults, SimDisk } from './sim/sim-disk.ts'
export { type CrashKind, type NodePorts, type Program, SimNode, type StopReason } from './sim/sim-node.ts'
export { SimRandom } from './sim/sim-random.ts'
export { Trace } from './sim/trace.ts'
export { World, type WorldOptions } from './sim/world.ts'
export { type ClockFixture, clockSuite } from './suites/clock-suite.ts'
export { type ContainersFixture, containersSuite, distributedMapsSuite } from './suites/containers-suite.ts'
export { databaseSuite } from './suites/database-suite.ts'
export type { DatabaseFixture } from './suites/database-tools.ts'
export { type DiscoveryFixture, discoverySuite } from './suites/discovery-suite.ts'
export { type DiskFixture, diskSuite } from './suites/disk-suite.ts'
export { type MutexFixture, mutexSuite } from './suites/mutex-suite.ts'
export {
  type OrderedLogAbilities,
  type OrderedLogFixture,
  orderedLogSuite,
} from './suites/ordered-log-suite.ts'
export { type PeersFixture, peersSuite } from './suites/peers-suite.ts'
export type { SuiteAssertions, SuiteExpectation, SuiteRunner } from './suites/runner.ts'
export { type StorageFixture, storageRandomSuite, storageSuite } from './suites/storage-suite.ts'
export { type TransportFixture, transportSuite } from './suites/transport-suite.ts'
export { Clients, type ClientsOptions } from './workload/clients.ts'
export { type CounterInput, type CounterOutput, judgeCounters } from './workload/counts.ts'
export {
  ACCOUNTS,
  type BankInput,
  type BankOutput,
  bankLoad,
  judgeBank,
} from './workload/database/bank-load.ts'
export { COUNTERS, counterLoad } from './workload/database/counter-load.ts'
export { DUTY, type DutyInput, type DutyOutput, dutyLoad, judgeDuty } from './workload/database/duty-load.ts'
export {
  FORKS,
  type ForkInput,
  type ForkOutput,
  forkLoad,
  judgeForks,
} from './workload/database/fork-load.ts'
export { judgeLists, LISTS, type ListInput, listLoad } from './workload/database/list-load.ts'
export {
  judgeOwners,
  OWNERS,
  type OwnerInput,
  type OwnerOutput,
  ownerLoad,
} from './workload/database/owner-load.ts'
export { REGISTERS, registerRowsLoad } from './workload/database/register-rows.ts'
export { addressOf, JOURNAL, type OpenDatabase, readJournal } from './workload/database/rows.ts'
export { judgeSet, SETS, type SetInput, type SetOutput, setLoad } from './workload/database/set-load.ts'
export type { Load, Named, Told } from './workload/load.ts'
export { type AnyLoad, anyLoad, type MixedInput, mixedLoad } from './workload/mixed-load.ts'
export { sumLoad } from './workload/objects/counter-load.ts'
export {
  judgeLocks,
  type LockInput,
  type LockLoadOptions,
  type LockNote,
  type LockOutput,
  lockLoad,
} from './workload/objects/lock-load.ts'
export { mapLoad } from './workload/objects/map-load.ts'
export { JOURNAL_TOPIC, journalOf, type OpenContainers } from './workload/objects/objects.ts'
export {
  type Delivery,
  judgeQueue,
  type QueueInput,
  type QueueLoadOptions,
  queueLoad,
} from './workload/objects/queue-load.ts'
export {
  judgeTopic,
  type Subscriber,
  type TopicInput,
  type TopicOutput,
  topicLoad,
} from './workload/objects/topic-load.ts'
export {
  judgeTtl,
  type TtlInput,
  type TtlLoadOptions,
  type TtlOutput,
  ttlLoad,
} from './workload/objects/ttl-load.ts'
export { type Ending, type OperationCounts, Recorder } from './workload/recorder.ts'
export {
  judgeRegisters,
  type NamedInput,
  type RegisterLoadOptions,
  registerLoad,
} from './workload/register-load.ts'
export {
  decodeOutput,
  encodeCommand,
  type RegisterCommand,
  type RegisterCondition,
  RegisterMachine,
} from './workload/register-machine.ts'
