/** The two buttons of every list of parts in a draft; one that is fixed has neither. */
import { Button } from '@mantine/core'

export function AddPart({
  what,
  isFixed,
  add,
}: {
  /** With its article: "a list". */
  readonly what: string
  readonly isFixed: boolean
  readonly add: () => void
}) {
  if (isFixed) return null
  return (
    <p className="part-add">
      <Button size="compact-xs" variant="default" aria-label={`Add ${what}`} onClick={add}>
        Add {what}
      </Button>
    </p>
  )
}

export function RemovePart({
  name,
  isFixed,
  remove,
}: {
  readonly name: string
  readonly isFixed: boolean
  readonly remove: () => void
}) {
  if (isFixed) return null
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      color="red"
      className="part-remove"
      aria-label={`Remove ${name}`}
      onClick={remove}
    >
      ×
    </Button>
  )
}
