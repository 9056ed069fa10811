import { describe, expect, test } from 'vitest'
import { parseDrainSettings } from './settings.ts'

const one = { regex: ['\\d+'], st: 0.5, depth: 5, log_format: '<Date> <Content>' }
const many = JSON.stringify({
  HDFS: { ...one, log_file: 'HDFS/HDFS_2k.log' },
  BGL: { ...one, st: 0.7, log_file: 'BGL/BGL_2k.log', log_format: '<Label> <Content>' },
})

describe('the settings of one of several systems are found', () => {
  test.each([
    ['by name', { system: 'BGL', file: 'x.log' }],
    ['by the name of the log', { file: '/logs/BGL_2k.log.gz' }],
    ['by the header', { file: 'x.log', format: '<Label> <Content>' }],
  ])('%s', (_name, choice) => {
    expect(parseDrainSettings(many, choice)).toEqual({
      drain: { masks: ['\\d+'], similarity: 0.7, depth: 5 },
      format: '<Label> <Content>',
    })
  })

  test('or whose there are is said', () => {
    expect(() => parseDrainSettings(many, { file: 'x.log' })).toThrow('HDFS, BGL')
    expect(() => parseDrainSettings(many, { system: 'Mac', file: 'x.log' })).toThrow('Mac')
  })
})

test('settings of one system are taken as they are', () => {
  expect(parseDrainSettings(JSON.stringify(one), { file: 'x.log' }).drain.depth).toBe(5)
})

test.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['a regex that is none', '{"regex":["("]}'],
  ['patterns that are no list', '{"regex":"a"}'],
  ['a similarity beyond one', '{"st":2}'],
  ['a depth without leaves', '{"depth":2}'],
])('%s is refused', (_name, json) => {
  expect(() => parseDrainSettings(json, { file: 'x.log' })).toThrow(/./)
})
