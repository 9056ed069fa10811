import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bindInputs } from './bind.ts'
import type { TensorSpec } from './signature.ts'

const input = (name: string, datatype: TensorSpec['datatype'] = 'FP64', shape = [-1]) => ({
  name,
  datatype,
  shape,
})
const numbers = (...names: string[]) => names.map((name) => ({ name, holds: 'numbers' as const }))

describe('binding inputs to features', () => {
  test('finds names as they are, whatever the order, and leaves other features alone', () => {
    const bound = bindInputs(
      { inputs: [input('b'), input('a', 'INT64', [-1, 1])] },
      numbers('a', 'b', 'c'),
    )
    expect(bound).toEqual({
      inputs: [
        { input: 'b', feature: 'b' },
        { input: 'a', feature: 'a' },
      ],
      mismatches: [],
    })
  })

  test('takes what is declared before what has the same name', () => {
    const { inputs } = bindInputs({ inputs: [input('x')] }, numbers('x', 'AMOUNT'), { x: 'AMOUNT' })
    expect(inputs).toEqual([{ input: 'x', feature: 'AMOUNT' }])
  })

  test('lists everything that does not fit at once', () => {
    const signature = {
      inputs: [
        input('Amount'),
        input('place', 'BYTES'),
        input('image', 'FP32', [-1, 28, 28]),
        input('hour'),
      ],
    }
    const features = [...numbers('AMOUNT', 'place', 'image', 'hour')]
    const { inputs, mismatches } = bindInputs(signature, features, { gone: 'hour', hour: 'HOURS' })
    expect(inputs).toEqual([])
    expect(mismatches.map(({ kind, input: name }) => `${kind} ${name}`)).toEqual([
      'missing Amount',
      'type place',
      'type image',
      'missing hour',
      'extra gone',
    ])
    expect(mismatches[0].text).toContain('"AMOUNT" is written otherwise')
    expect(mismatches[1].text).toBe(
      'The input "place" takes texts; the feature "place" holds numbers.',
    )
    expect(mismatches[2].text).toContain('takes [-1,28,28] numbers')
  })

  test('tells of every input exactly once, and of every declaration that names none', () => {
    const name: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const names = fc.uniqueArray(name)
    fc.assert(
      fc.property(names, names, fc.dictionary(name, name), (inputs, features, declared) => {
        const { inputs: bound, mismatches } = bindInputs(
          { inputs: inputs.map((each) => input(each)) },
          numbers(...features),
          declared,
        )
        const extra = mismatches.filter(({ kind }) => kind === 'extra').map((each) => each.input)
        const others = mismatches.filter(({ kind }) => kind !== 'extra').map((each) => each.input)
        expect([...bound.map((each) => each.input), ...others].toSorted()).toEqual(
          inputs.toSorted(),
        )
        expect(extra.toSorted()).toEqual(
          Object.keys(declared)
            .filter((each) => !inputs.includes(each))
            .toSorted(),
        )
      }),
    )
  })
})
