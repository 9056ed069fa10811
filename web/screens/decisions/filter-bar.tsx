/** The filters that decisions have wherever they are listed; each stands in the address. */
import { useAsk } from '../../client/queries.ts'
import { useView } from '../../client/view.ts'
import { ChoiceFilter, SelectFilter, TextFilter } from '../../parts/filters.tsx'
import { useBank } from '../../shell/bank.ts'

export function DecisionFilters() {
  return (
    <>
      <ChoiceFilter
        name="outcome"
        title="Outcome"
        choices={[
          { value: undefined, title: 'All' },
          { value: 'allow', title: 'Allow' },
          { value: 'review', title: 'Review' },
          { value: 'decline', title: 'Decline' },
          { value: 'review,decline', title: 'Held back' },
        ]}
      />
      <TextFilter name="customer" title="Customer" width={86} />
      <TextFilter name="terminal" title="Terminal" width={86} />
      <TextFilter name="amountMin" title="Amount from" width={106} />
      <TextFilter name="amountMax" title="to" width={64} />
      <PolicyFilters />
      <TextFilter name="text" title="Number, rule or reason" width={164} />
    </>
  )
}

/** Which policy, where there are several, and which of its rules fired. */
function PolicyFilters() {
  const { view } = useView()
  const { policy: only } = useBank().project
  const endpoints = useAsk('endpoints', {}, { staleTime: 60_000 })
  const policy = view.policy ?? only
  const declared = useAsk(
    'policy',
    { params: { policy: policy ?? '' } },
    { enabled: policy !== null, staleTime: 60_000 },
  )
  const policies = (endpoints.data?.items ?? []).map((each) => each.policy.id)
  const rules = (declared.data?.rules ?? []).map(({ name }) => name)
  const named = (names: readonly string[], chosen: string | undefined) =>
    (chosen === undefined || names.includes(chosen) ? names : [...names, chosen]).map((value) => ({
      value,
      title: value,
    }))
  return (
    <>
      {policies.length > 1 || view.policy !== undefined ? (
        <SelectFilter name="policy" title="Any policy" choices={named(policies, view.policy)} />
      ) : null}
      {rules.length > 0 || view.rule !== undefined ? (
        <SelectFilter name="rule" title="Any rule" choices={named(rules, view.rule)} />
      ) : null}
    </>
  )
}
