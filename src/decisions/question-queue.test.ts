import { expect, test } from 'vitest'
import { createQuestionQueue } from './question-queue.ts'

test('questions are answered in their order, and other work comes between any two', async () => {
  const ask = createQuestionQueue()
  const seen: string[] = []
  const answers = ['a', 'b', 'c'].map((name) =>
    ask(() => {
      seen.push(name)
      setImmediate(() => seen.push('other'))
      return name
    }),
  )
  expect(await Promise.all(answers)).toEqual(['a', 'b', 'c'])
  expect(seen.join(' ')).toMatch(/^a other b other c/)
})

test('beyond the bound a question is refused and told when to come back', async () => {
  const ask = createQuestionQueue(2)
  const answers = [ask(() => 1), ask(() => 2)]
  await expect(ask(() => 3)).rejects.toMatchObject({
    code: 'overloaded',
    extra: { retryAfter: 1 },
  })
  expect(await Promise.all(answers)).toEqual([1, 2])
  expect(await ask(() => 4)).toBe(4)
})

test('a question that fails leaves its place to the next', async () => {
  const ask = createQuestionQueue(1)
  const failing = ask(() => {
    throw new Error('no such customer')
  })
  await expect(failing).rejects.toThrow('no such customer')
  expect(await ask(() => 'answered')).toBe('answered')
})
