import { expect, test } from 'vitest'
import { behaviour, payments } from '../../test/small-bank.ts'
import { action, type ActionDeclaration } from './actions.ts'
import { compilePolicy, decisionPolicy, rule } from './policy.ts'

const policy = (actions?: readonly ActionDeclaration[]) =>
  compilePolicy(
    decisionPolicy('card', {
      source: payments,
      features: [behaviour],
      model: 'm',
      thresholds: { decline: 0.9, review: 0.5 },
      rules: [rule('night', { when: 'event.amount > 5.0', then: 'review', reason: 'Large' })],
      ...(actions && { actions }),
    }),
  )

test('a policy without actions keeps its hash, and one with them has another', () => {
  expect(policy([])).toEqual(policy())
  expect(policy()).not.toHaveProperty('actions')
  const told = policy([action('stream', { to: { topic: 'decided' } })])
  expect(told.actions).toEqual([{ name: 'stream', to: { topic: 'decided' } }])
  expect(told.version).not.toBe(policy().version)
})

test.each([
  [action('Tell', { to: { topic: 'a' } }), 'lower-case'],
  [action('tell', { to: { topic: '../a' } }), 'no name of a topic'],
  [action('tell', { to: { file: 'a/b.ndjson' } }), 'no name of a file'],
  [action('tell', { to: { file: '..' } }), 'no name of a file'],
  [action('tell', { to: { webhook: 'http://desk.bank.example/' } }), 'neither https'],
  [action('tell', { to: { webhook: 'https://169.254.169.254/' } }), 'not a public address'],
  [action('tell', { to: { webhook: 'https://a.example/', secret: '../key' } }), 'name of a secret'],
  [action('tell', { to: { topic: 'a' }, rules: ['none'] }), 'no rule "none"'],
  [action('tell', { to: { topic: 'a' }, outcomes: ['no' as 'allow'] }), 'names the outcome "no"'],
])('an action that cannot work is refused when it is declared: %j', (declared, said) => {
  expect(() => policy([declared])).toThrow(said)
})

test('names are unique, and there is an end to how many', () => {
  const one = (name: string) => action(name, { to: { topic: 'a' } })
  expect(() => policy([one('a'), one('a')])).toThrow('two actions have the same name')
  const many = Array.from({ length: 21 }, (_, i) => one(`a${i}`))
  expect(() => policy(many)).toThrow('at most 20 actions')
})
