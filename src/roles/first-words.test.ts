import { expect, test } from 'vitest'
import { createFirstWords } from './first-words.ts'

test('a stop waits for words that were begun, however long they take', async () => {
  const said: string[] = []
  const key = Promise.withResolvers<string>()
  const words = createFirstWords(async () => void said.push(await key.promise))
  const saying = words.say()
  const over = words.end().then(() => said.push('stopped'))
  key.resolve('the key')
  await Promise.all([saying, over])
  expect(said).toEqual(['the key', 'stopped'])
})

test('after a stop nothing is begun, so that no key is made that nobody sees', async () => {
  let made = 0
  const words = createFirstWords(async () => void made++)
  await words.end()
  void words.say()
  await words.end()
  expect(made).toBe(0)
})

test('words that fail hold no stop up', async () => {
  const words = createFirstWords(() => Promise.reject(new Error('keep fell')))
  await expect(words.say()).rejects.toThrow('keep fell')
  await words.end()
})
