import type { Disk, DiskFile } from '@cluster/core'
import fc from 'fast-check'
import type { SuiteRunner } from './runner.ts'

/** A fresh, empty folder. */
export interface DiskFixture {
  readonly disk: Disk
  /** Lets the promise settle; a simulated disk needs virtual time to pass. Default: waits. */
  settle?<T>(promise: Promise<T>): Promise<T>
  close(): Promise<void>
}

type Step =
  | { readonly do: 'append'; readonly bytes: readonly number[] }
  | { readonly do: 'write'; readonly at: number; readonly bytes: readonly number[] }
  | { readonly do: 'truncate'; readonly size: number }
  | { readonly do: 'sync' | 'reopen' }

const bytes = fc.array(fc.nat(255), { maxLength: 40 })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), bytes }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('write' as const), at: fc.nat(80), bytes }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('truncate' as const), size: fc.nat(80) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('sync' as const, 'reopen' as const) }) },
  ),
  { maxLength: 25 },
)

/** What every `Disk` does, crashes apart. */
export function diskSuite({ describe, test, expect }: SuiteRunner, make: () => Promise<DiskFixture>): void {
  const text = new TextEncoder()
  const withDisk =
    (body: (disk: Disk) => Promise<void>): (() => Promise<void>) =>
    async () => {
      const fixture = await make()
      const work = body(fixture.disk)
      try {
        await (fixture.settle ? fixture.settle(work) : work)
      } finally {
        await fixture.close()
      }
    }
  const all = async (file: DiskFile): Promise<number[]> => [...(await file.read(0, file.size()))]

  describe('a disk', () => {
    test(
      'reads nothing where nothing was written',
      withDisk(async (disk) => {
        expect(await disk.read('none')).toBeNull()
        expect(await disk.list()).toEqual([])
        expect(await disk.folder('none').list()).toEqual([])
        await disk.remove('none')
      }),
    )

    test(
      'replaces whole files, and removes them',
      withDisk(async (disk) => {
        await disk.replace('a', text.encode('one'))
        await disk.replace('a', text.encode('two, longer'))
        await disk.replace('b', new Uint8Array())
        expect([...((await disk.read('a')) ?? [])]).toEqual([...text.encode('two, longer')])
        expect((await disk.read('b'))?.length).toBe(0)
        await disk.remove('a')
        expect(await disk.read('a')).toBeNull()
        expect(await disk.list()).toEqual(['b'])
      }),
    )

    test(
      'renames files, over another one and into a folder too',
      withDisk(async (disk) => {
        await disk.replace('old', text.encode('old'))
        const file = await disk.open('new')
        await file.append([text.encode('new')])
        await file.sync()
        await file.close()
        await disk.rename('new', 'old')
        expect([...((await disk.read('old')) ?? [])]).toEqual([...text.encode('new')])
        expect(await disk.list()).toEqual(['old'])
        await disk.rename('old', 'in/folder')
        expect(await disk.list()).toEqual(['in/folder'])
      }),
    )

    test(
      'keeps folders apart and lists what is below them, sorted',
      withDisk(async (disk) => {
        for (const path of ['z', 'logs/2', 'logs/10', 'logs/old/1', 'logs-not'])
          await disk.replace(path, text.encode(path))
        expect(await disk.list()).toEqual(['logs-not', 'logs/10', 'logs/2', 'logs/old/1', 'z'])
        expect(await disk.folder('logs').list()).toEqual(['10', '2', 'old/1'])
        const old = await disk.folder('logs').folder('old').read('1')
        expect([...(old ?? [])]).toEqual([...text.encode('logs/old/1')])
      }),
    )

    test(
      'keeps what it was given when the caller changes its bytes afterwards',
      withDisk(async (disk) => {
        const mine = new Uint8Array([1, 2, 3])
        await disk.replace('a', mine)
        mine.fill(9)
        const read = await disk.read('a')
        read?.fill(8)
        expect([...((await disk.read('a')) ?? [])]).toEqual([1, 2, 3])
      }),
    )

    test(
      'makes a file when it is opened, and appends in the order of the calls',
      withDisk(async (disk) => {
        const file = await disk.open('log/1')
        expect(file.size()).toBe(0)
        expect(await disk.list()).toEqual(['log/1'])
        const calls = [
          file.append([new Uint8Array([1]), new Uint8Array([2, 3])]),
          file.append([]),
          file.sync(),
          file.append([new Uint8Array([4])]),
        ]
        await Promise.all(calls)
        expect(file.size()).toBe(4)
        expect(await all(file)).toEqual([1, 2, 3, 4])
        expect([...(await file.read(1, 2))]).toEqual([2, 3])
        expect([...(await file.read(3, 9))]).toEqual([4])
        expect([...(await file.read(7, 1))]).toEqual([])
        expect([...((await disk.read('log/1')) ?? [])]).toEqual([1, 2, 3, 4])
        await file.close()
      }),
    )

    test(
      'writes over what is there, in the order of the calls',
      withDisk(async (disk) => {
        const file = await disk.open('f')
        const mine = new Uint8Array([7, 8])
        const calls = [
          file.append([new Uint8Array([1, 2, 3, 4, 5])]),
          file.write(1, mine),
          file.sync(),
          file.write(2, new Uint8Array([9])),
          file.append([new Uint8Array([6])]),
        ]
        await Promise.all(calls)
        expect(file.size()).toBe(6)
        expect(await all(file)).toEqual([1, 7, 9, 4, 5, 6])
        await file.sync()
        await file.close()
        expect([...((await disk.read('f')) ?? [])]).toEqual([1, 7, 9, 4, 5, 6])
      }),
    )

    test('does to a file what a list of bytes would do', async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (script) => {
          await withDisk(async (disk) => {
            let model: number[] = []
            let file = await disk.open('f')
            for (const step of script) {
              if (step.do === 'append') {
                await file.append([new Uint8Array(step.bytes)])
                model.push(...step.bytes)
              } else if (step.do === 'write') {
                const at = Math.min(step.at, model.length)
                const part = step.bytes.slice(0, model.length - at)
                await file.write(at, new Uint8Array(part))
                model.splice(at, part.length, ...part)
              } else if (step.do === 'truncate') {
                const size = Math.min(step.size, model.length)
                await file.truncate(size)
                model = model.slice(0, size)
              } else if (step.do === 'sync') await file.sync()
              else {
                await file.close()
                file = await disk.open('f')
              }
              expect(file.size()).toBe(model.length)
            }
            expect(await all(file)).toEqual(model)
            await file.close()
          })()
        }),
        { numRuns: 30, seed: 1 },
      )
    })
  })
}
