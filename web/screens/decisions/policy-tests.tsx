/** Tests of a draft's rules, as JSON: an event, what is known of it, and the outcome expected. */
import { Button, Textarea } from '@mantine/core'
import { useState } from 'react'
import type {
  Draft,
  PolicyParts,
  PolicyWork,
  RuleTest,
} from '../../../src/server/contract/index.ts'
import { Folded, Panel } from '../../parts/layout.tsx'
import { VerdictSign } from '../../parts/verdict.tsx'

export function Tests({
  tests,
  results,
  columns,
  isFixed,
  change,
}: {
  readonly tests: readonly RuleTest[]
  readonly results: Draft['results']
  readonly columns: PolicyWork['columns']
  readonly isFixed: boolean
  readonly change: (tests: RuleTest[]) => void
}) {
  const [text, setText] = useState(() => JSON.stringify(tests, null, 2))
  const [notJson, setNotJson] = useState<string | null>(null)
  const edit = (next: string) => {
    setText(next)
    try {
      const parsed: unknown = JSON.parse(next)
      if (!Array.isArray(parsed)) throw new Error('A list of tests is wanted: [ … ]')
      setNotJson(null)
      change(parsed as RuleTest[])
    } catch (error) {
      setNotJson(error instanceof Error ? error.message : 'This is not JSON')
    }
  }
  const hold = results.filter(({ passed }) => passed).length
  return (
    <Panel
      title="Rule tests"
      aside={tests.length === 0 ? 'none yet' : `${hold} of ${tests.length} hold`}
    >
      <div className="stack">
        <p className="quiet">
          An event with its score, and the outcome that is expected. Money is in minor units. A
          draft is proposed only where all of them hold.
        </p>
        {results.length === 0 ? null : (
          <ul className="rule-tests" aria-label="Results of the tests">
            {results.map((result) => (
              <li key={result.name} className="verdict-line">
                <VerdictSign status={result.passed ? 'ok' : 'alert'} />
                <span>
                  <b>{result.name}</b>: {result.sentence}
                </span>
              </li>
            ))}
          </ul>
        )}
        {isFixed ? null : (
          <>
            <Textarea
              label="Tests as JSON"
              autosize
              minRows={2}
              maxRows={18}
              spellCheck={false}
              styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12.5 } }}
              value={text}
              error={notJson}
              onChange={(event) => edit(event.currentTarget.value)}
            />
            <div>
              <Button
                size="xs"
                variant="default"
                disabled={notJson !== null}
                onClick={() =>
                  edit(JSON.stringify([...tests, example(tests.length, columns)], null, 2))
                }
              >
                Add a test
              </Button>
            </div>
          </>
        )}
      </div>
    </Panel>
  )
}

/** What an author may ask in a condition; too many to remember. */
export function Names({
  columns,
  features,
  lists,
}: Pick<PolicyWork, 'columns' | 'features'> & { readonly lists: PolicyParts['lists'] }) {
  return (
    <Folded
      title={`What conditions can ask: ${columns.length} columns, ${features.length} features`}
    >
      <p className="quiet">
        Conditions are in CEL: comparisons, <code>&amp;&amp;</code>, <code>||</code>, <code>!</code>
        . Numbers that are compared with a column of amounts have a point: <code>220.0</code>.
      </p>
      <ul className="rule-names">
        <li>
          <code>score</code>
        </li>
        {columns.map(({ name, kind }) => (
          <li key={name}>
            <code>event.{name}</code> <span className="quiet">{kind}</span>
          </li>
        ))}
        {lists.map(({ name, column }) => (
          <li key={name}>
            <code>listed("{name}")</code> <span className="quiet">{column}</span>
          </li>
        ))}
        {features.map((name) => (
          <li key={name}>
            <code>features.{name}</code>
          </li>
        ))}
      </ul>
    </Folded>
  )
}

const values: Readonly<Record<string, string | number>> = {
  money: 1000,
  integer: 0,
  number: 0,
}

function example(n: number, columns: PolicyWork['columns']): RuleTest {
  return {
    name: `test ${n + 1}`,
    event: Object.fromEntries(
      columns
        .filter(({ kind }) => kind in values)
        .map(({ name, kind }) => [name, values[kind] ?? 0]),
    ),
    features: {},
    score: 0,
    listed: [],
    expect: { outcome: 'allow' },
  }
}
