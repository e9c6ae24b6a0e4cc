import type { GroupView } from '@cluster/core'
import type { GroupCard } from '../../machine/group/forming.ts'
import type { RaftView } from '../../machine/raft/types.ts'
import type { Applier } from '../commands/applier.ts'
import type { LogFolder } from '../disk/log-folder.ts'
import type { Contact } from './contact.ts'
import type { Forks } from './forks.ts'
import { groupCard } from './group-view.ts'
import type { Members } from './members.ts'

export interface GroupNewsPorts {
  readonly applier: Applier
  readonly folder: LogFolder
  readonly forks: Forks
  readonly contact: Contact
  readonly members: Members
  view(): RaftView | null
  group(): GroupView
  emit(group: GroupView): void
}

/** What those around the log, and other nodes on first contact, are told of the group. */
export class GroupNews {
  readonly #ports: GroupNewsPorts
  /** A group that was founded alone on purpose is never given up, so it does not call itself empty. */
  readonly #alone: boolean
  #told = false
  #toldEmpty = true

  constructor(ports: GroupNewsPorts, alone: boolean) {
    this.#ports = ports
    this.#alone = alone
  }

  /** False before the first word. */
  get told(): boolean {
    return this.#told
  }

  /** Something of the group is new. */
  tell(): void {
    const { members, group, emit } = this.#ports
    this.#told = true
    const view = group()
    this.introduce()
    members.act()
    emit(view)
  }

  /** The first command makes a group with data of an empty one, and others must know. */
  tick(): void {
    if (this.#told && this.#toldEmpty && !this.#ports.applier.isEmpty()) this.introduce()
  }

  /** Says on first contact what this group is by now. */
  introduce(): void {
    this.#ports.contact.group(this.#card())
  }

  #card(): GroupCard | null {
    const { view, applier, folder, forks } = this.#ports
    const empty = (): boolean => {
      this.#toldEmpty = !this.#alone && applier.isEmpty()
      return this.#toldEmpty
    }
    return groupCard(view(), empty, folder.opened?.groupFile.tombstones ?? [], forks.card)
  }
}
