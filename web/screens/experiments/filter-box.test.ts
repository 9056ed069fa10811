import { expect, test } from 'vitest'
import { offersFor, wordBefore, writtenKey } from './filter-box.tsx'

const offer = (key: string, name: string, runs = 1) => ({
  key,
  name,
  title: name,
  runs,
  sortable: true,
  kind: 'metric' as const,
})

test('the word that is being typed is found, but not within a value', () => {
  expect(wordBefore('metrics.a', 9)).toBe('metrics.a')
  expect(wordBefore("params.x = 'a' AND me", 21)).toBe('me')
  expect(wordBefore('(auc', 4)).toBe('auc')
  expect(wordBefore("params.x = 'me", 14)).toBeNull()
  expect(wordBefore('metrics.auc > ', 14)).toBeNull()
})

test('a name that is no plain word is offered in backticks', () => {
  expect(writtenKey({ key: 'metrics.auc', name: 'auc' })).toBe('metrics.auc')
  expect(writtenKey({ key: 'metrics.val loss', name: 'val loss' })).toBe('metrics.`val loss`')
})

test('names that begin with the word come first, then the most used', () => {
  const columns = [
    offer('metrics.val_auc', 'val_auc', 9),
    offer('metrics.auc', 'auc', 3),
    offer('metrics.auc_test', 'auc_test', 5),
  ]
  expect(offersFor('auc', columns).map(({ name }) => name)).toEqual(['auc_test', 'auc', 'val_auc'])
  expect(offersFor('and', columns)).toEqual([])
})
