import { describe, expect, test } from 'vitest'
import { type ReasonDeclaration, reasonCodes } from './reason-codes.ts'

const features = [
  'utilisation',
  'balance',
  'age_of_accounts',
  'inquiries',
  'income',
  'delinquencies',
]
const words = (code: string, own: string[]): ReasonDeclaration => ({
  code,
  features: own,
  raised: `${code} raised it`,
  lowered: `${code} lowered it`,
})
const reasons = [
  words('use', ['utilisation', 'balance']),
  words('age', ['age_of_accounts']),
  words('ask', ['inquiries']),
  words('earn', ['income']),
  words('late', ['delinquencies']),
]

describe('reason codes', () => {
  const codes = reasonCodes(features, reasons)

  test('add up what the features of one reason contributed, and name the strongest first', () => {
    const told = codes.tell(Float64Array.of(0.3, 0.4, 0.5, -1, 0, 0.6), 'raised')
    expect(told.map(({ code }) => code)).toEqual(['use', 'late', 'age'])
    expect(told[0]).toEqual({
      code: 'use',
      words: 'use raised it',
      contribution: 0.7,
      features: ['balance', 'utilisation'],
    })
  })

  test('tell why the score is low in the words for that', () => {
    const told = codes.tell(Float64Array.of(-0.3, 0.1, -0.5, -1, 0, 0.6), 'lowered')
    expect(told.map(({ words: said }) => said)).toEqual([
      'ask lowered it',
      'age lowered it',
      'use lowered it',
    ])
    expect(told[2].features).toEqual(['utilisation'])
  })

  test('are four at most, and none where nothing pushed that way', () => {
    expect(codes.tell(new Float64Array(6).fill(1), 'raised')).toHaveLength(4)
    expect(codes.tell(new Float64Array(6).fill(1), 'raised', 2)).toHaveLength(2)
    expect(codes.tell(new Float64Array(6).fill(1), 'lowered')).toEqual([])
    expect(() => codes.tell(new Float64Array(6), 'raised', 5)).toThrow('1 to 4')
    expect(() => codes.tell(new Float64Array(5), 'raised')).toThrow('6 features')
  })

  test('of equal strength keep their declared order', () => {
    const told = codes.tell(Float64Array.of(0.5, 0.5, 1, 1, 1, 1), 'raised')
    expect(told.map(({ code }) => code)).toEqual(['use', 'age', 'ask', 'earn'])
  })

  test('have a hash that any change of words, order or features changes, and nothing else', () => {
    const hashes = [
      codes.hash,
      reasonCodes(features, [{ ...reasons[0], raised: 'otherwise' }, ...reasons.slice(1)]).hash,
      reasonCodes(features, reasons.toReversed()).hash,
      reasonCodes(features.toReversed(), reasons).hash,
    ]
    expect(new Set(hashes).size).toBe(4)
    expect(codes.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(reasonCodes([...features], structuredClone(reasons)).hash).toBe(codes.hash)
  })

  test('that are incomplete are refused when they are declared', () => {
    const bad: [string, ReasonDeclaration[]][] = [
      ['no reason for "income", "delinquencies"', reasons.slice(0, 3)],
      ['two reasons', [...reasons, words('again', ['income'])]],
      ['which the model lacks', [...reasons, words('else', ['shoe_size'])]],
      ['names no feature', [...reasons, words('none', [])]],
      ['stands twice', [...reasons, words('use', [])]],
      ['needs words for "lowered"', [...reasons.slice(0, 4), { ...reasons[4], lowered: ' ' }]],
    ]
    for (const [message, declared] of bad) {
      expect(() => reasonCodes(features, declared)).toThrow(message)
    }
  })
})
