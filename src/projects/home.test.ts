import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clearHome, homeOwner, lockHome, lockRole, openHome, orHomeFull } from './home.ts'

const empty = () => mkdtempSync(join(tmpdir(), 'assay-home-'))

test('a new home says which format it has and opens again', async () => {
  const directory = empty()
  await openHome(directory, '0.1.0')
  expect(readdirSync(directory)).toContain('format.json')
  expect((await openHome(directory, '0.1.0')).root).toBe(directory)
})

test('a home of a newer version is refused and left as it is', async () => {
  const directory = empty()
  writeFileSync(join(directory, 'format.json'), '{"format": 99}')
  await expect(openHome(directory, '0.1.0')).rejects.toMatchObject({ code: 'home_newer' })
  expect(readdirSync(directory)).toEqual(['format.json'])
})

test('a folder with other files in it is neither opened nor cleared', async () => {
  const directory = empty()
  writeFileSync(join(directory, 'thesis.tex'), 'years of work')
  await expect(openHome(directory, '0.1.0')).rejects.toMatchObject({ code: 'home_invalid' })
  expect(() => clearHome(directory)).toThrow('nothing was removed')
  expect(readdirSync(directory)).toEqual(['thesis.tex'])
})

test('a damaged format file is told apart from a newer one', async () => {
  const directory = empty()
  writeFileSync(join(directory, 'format.json'), '{"form')
  await expect(openHome(directory, '0.1.0')).rejects.toMatchObject({ code: 'home_invalid' })
})

test('a lock of a living process holds, and one of a dead process is taken over', async () => {
  const home = await openHome(empty(), '0.1.0')
  const lock = join(home.root, 'run', 'lock')
  writeFileSync(lock, String(process.ppid))
  expect(homeOwner(home)).toBe(process.ppid)
  expect(() => lockHome(home)).toThrow(String(process.ppid))
  writeFileSync(lock, '999999999')
  const release = lockHome(home)
  release()
  expect(homeOwner(home)).toBeUndefined()
})

test('a start that was interrupted at the very first moment leaves a home, not a stranger’s folder', async () => {
  for (const left of ['format.json', 'format.json.0a1b2c3d.tmp']) {
    const directory = empty()
    writeFileSync(join(directory, left), '{"format": 1}')
    await openHome(directory, '0.1.0')
    expect(readdirSync(directory)).toEqual(expect.arrayContaining(['keep', 'secrets', 'run']))
  }
})

test('clearing removes everything that Assay made', async () => {
  const home = await openHome(empty(), '0.1.0')
  clearHome(home.root)
  expect(readdirSync(home.root)).toEqual([])
})

test('a file, or something below a file, is no place for a home', async () => {
  const file = join(empty(), 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'below')]) {
    await expect(openHome(path, '0.1.0')).rejects.toMatchObject({ code: 'home_unwritable' })
  }
})

test.runIf(process.platform === 'linux')(
  'a number that another process has by now is no owner',
  async () => {
    const home = await openHome(empty(), '0.1.0')
    writeFileSync(join(home.root, 'run', 'lock'), `${process.ppid} 1`)
    expect(homeOwner(home)).toBeUndefined()
    lockHome(home)()
  },
)

test('a role waits until the one before it is gone, and not for ever', async () => {
  const home = await openHome(empty(), '0.1.0')
  const lock = join(home.root, 'run', 'decide.lock')
  writeFileSync(lock, String(process.ppid))
  let waits = 0
  const leave = async () => {
    if (++waits === 3) writeFileSync(lock, '999999999')
  }
  const release = await lockRole(home, 'decide', leave)
  expect(waits).toBe(3)
  release()
  writeFileSync(lock, String(process.ppid))
  await expect(lockRole(home, 'decide', async () => {})).rejects.toMatchObject({
    code: 'home_locked',
  })
})

test('a lock is whole from the first moment, and none of its makings stay behind', async () => {
  const home = await openHome(empty(), '0.1.0')
  const lock = join(home.root, 'run', 'lock')
  writeFileSync(lock, '') // As a power cut may leave it.
  const release = lockHome(home)
  expect(readdirSync(join(home.root, 'run'))).toEqual(['lock'])
  expect(readFileSync(lock, 'utf8')).toMatch(new RegExp(`^${process.pid}( \\d+)?$`))
  release()
  expect(readdirSync(join(home.root, 'run'))).toEqual([])
})

test('a failure that comes of a full disk is told as that, any other as it is', () => {
  const root = empty()
  const full = [
    Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }),
    Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 }),
  ]
  for (const error of full) {
    const told = orHomeFull({ root }, error)
    expect(told).toMatchObject({ code: 'home_full', status: 507, cause: error })
    expect(orHomeFull({ root }, told)).toBe(told)
  }
  for (const error of [new Error('a defect'), Object.assign(new Error('gone'), { code: 'EIO' })]) {
    expect(orHomeFull({ root }, error)).toBe(error)
  }
})
