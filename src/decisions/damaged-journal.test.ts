// What a disk did to the journal itself: the namespace says what it found, and guesses nothing.
import { afterEach, expect, test } from 'vitest'
import { closeServices, codeOf, deployedBank, openBank } from '../../test/running-bank.ts'
import { payment } from '../../test/small-bank.ts'

afterEach(closeServices)

const segment = '/decide/live/journal/0000000000000001.journal'

async function threeDecisions() {
  const bank = await deployedBank()
  const answers: string[] = []
  for (let n = 1; n <= 3; n++) answers.push(await bank.decide(payment(n)))
  return { ...bank, answers }
}

test('a torn tail is cut off and reported; what was acknowledged before it is answered alike', async () => {
  const { files, deployments, answers } = await threeDecisions()
  const file = await files.open(segment, 'update')
  const end = files.bytes(segment).length
  // A write of which only the beginning arrived before the power went.
  await file.write(files.bytes(segment).slice(-200, -50), end)
  const again = await openBank({ files, deployments })
  expect(again.warnings).toEqual([expect.stringMatching(/150 bytes .* are cut off/)])
  for (const [i, answer] of answers.entries()) {
    expect(await again.decide(payment(i + 1))).toBe(answer)
  }
  expect(await codeOf(again.decide(payment(4)))).toBe('none')
})

test('a flipped bit in an acknowledged record stops the start, which names the place', async () => {
  const { files, deployments } = await threeDecisions()
  files.bytes(segment)[300] ^= 0x04
  const opened = openBank({ files, deployments })
  await expect(opened).rejects.toThrow(/0000000000000001\.journal is damaged at offset \d+/)
  await expect(opened).rejects.toMatchObject({ code: 'journal_corrupt' })
})
