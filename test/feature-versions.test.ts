import { expect, test } from 'vitest'
import { behaviour, handbook } from '../examples/card-fraud/features.ts'
import { compileFeatureSet } from '../src/features/index.ts'

test('the versions of the example’s feature sets are those of the first release', () => {
  const versions = [handbook, behaviour].map((set) => {
    const { name, version, features } = compileFeatureSet(set)
    return [name, version, features.map((feature) => feature.version.slice(0, 8)).join(' ')]
  })
  expect(versions).toMatchInlineSnapshot(`
    [
      [
        "handbook",
        "927a8dbbb0ce6ca17beea31613d6fea764e9f056d643a2927d7cc72a0337618e",
        "b83cbe2f b95de8ea 3cb2eeba be6dc3c4 d1e2851a bbbce4f3 8e3e2885 3df4f2cc 0476bb8d f7660f65 4016296d 17dd2cbc 3debba05 281a0706 0cf92409",
      ],
      [
        "card-behaviour",
        "b6a94b982a386c1e57cf8104510708808e2fc476afc66d90648864aa93a05f3f",
        "c97d406c 919ab312 da97b87d aae51959 3c14be1e d987fe85 4c9faef5 114f392f c49ea6f7 d5cad23a 318ac910 55d4052b 2fe066f2",
      ],
    ]
  `)
})
