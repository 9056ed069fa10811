import { Modal } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { isTyping } from '../parts/keys.ts'

const goTo: Readonly<Record<string, string>> = {
  o: '/',
  d: '/decisions',
  n: '/decisions/live',
  c: '/cases',
  a: '/data',
  f: '/features',
  e: '/experiments',
  m: '/models',
  p: '/pipelines',
  w: '/monitoring',
  v: '/governance',
  l: '/audit',
}

const list = [
  ['Ctrl K', 'Find anything'],
  ['?', 'This list'],
  ['G then O D C A F E M P W V L', 'Go to a screen, in the order of the navigation'],
  ['G then N', 'Decisions as they come, now'],
  ['Space', 'Pause them, or go on'],
  ['J, K', 'Next and previous decision, case or run'],
  ['Enter', 'Open'],
  ['F, G, C', 'In the review queue: fraud, genuine, can’t tell'],
  ['U', 'Undo the last verdict (ten seconds)'],
  ['A, N', 'Take a case, write a note on it'],
  ['H', 'Hand a case over'],
  ['Y, T', 'As the second person: confirm a verdict, or turn it down'],
  ['O', 'The whole decision of a case'],
  ['X', 'Mark a case for a bulk act, choose a run; with Shift all cases'],
  ['/', 'To the filters of cases, runs or lists'],
  ['R, C', 'On a decision: recompute it, open its case'],
  ['Ctrl S', 'Save a draft'],
  ['Esc', 'Close, unmark, go on'],
] as const

/** Keys that work everywhere, and the list of all keys. */
export function Shortcuts() {
  const [opened, setOpened] = useState(false)
  const navigate = useNavigate()
  const leading = useRef(Number.NEGATIVE_INFINITY)
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (isTyping(event)) return
      if (event.key === '?') {
        setOpened(true)
        return
      }
      const to = goTo[event.key]
      if (performance.now() - leading.current < 900 && to !== undefined) {
        leading.current = Number.NEGATIVE_INFINITY
        event.preventDefault()
        event.stopImmediatePropagation()
        void navigate({ to } as never)
        return
      }
      // In the review queue G alone is a verdict; leading keys would take it away.
      if (event.key === 'g' && !window.location.pathname.startsWith('/cases')) {
        leading.current = performance.now()
      }
    }
    window.addEventListener('keydown', press, { capture: true })
    return () => window.removeEventListener('keydown', press, { capture: true })
  }, [navigate])
  return (
    <Modal opened={opened} onClose={() => setOpened(false)} title="Keys" size={520}>
      <dl className="keys">
        {list.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys
                .split(' ')
                .map((key) =>
                  key === 'then' ? ' then ' : <kbd key={key}>{key.replace(',', '')}</kbd>,
                )}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
