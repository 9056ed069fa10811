// How often rules failed on events, by hour: rows are few, and stay few where a rule fails on all.
import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { FailingRule, FailingRulesQuery, RuleFailures } from '../../decisions/index.ts'
import { HOUR_US } from '../../lib/time.ts'

/** What failed before this table is not in it. */
export const ruleFailureTables = `
  CREATE TABLE decisions_rule_failures (
    namespace TEXT NOT NULL, policy TEXT NOT NULL, policyVersion TEXT NOT NULL, rule TEXT NOT NULL,
    startUs INTEGER NOT NULL, n INTEGER NOT NULL, firstUs INTEGER NOT NULL, lastUs INTEGER NOT NULL,
    lastEventId TEXT NOT NULL,
    PRIMARY KEY (namespace, policy, startUs, rule, policyVersion)) STRICT, WITHOUT ROWID;`

export async function addRuleFailure(db: Kysely<unknown>, counted: RuleFailures): Promise<void> {
  const { namespace, policy, policyVersion, rule, startUs, n, firstUs, lastUs } = counted
  await sql`
    INSERT INTO decisions_rule_failures VALUES (${namespace}, ${policy}, ${policyVersion}, ${rule},
      ${startUs}, ${n}, ${firstUs}, ${lastUs}, ${counted.lastEventId})
    ON CONFLICT DO UPDATE SET n = n + excluded.n, firstUs = min(firstUs, excluded.firstUs),
      lastEventId = iif(excluded.lastUs >= lastUs, excluded.lastEventId, lastEventId),
      lastUs = max(lastUs, excluded.lastUs)`.execute(db)
}

export function ruleFailuresWithin(query: FailingRulesQuery): RawBuilder<FailingRule> {
  const { namespace, policy = null, policyVersion = null, fromUs, untilUs } = query
  return sql<FailingRule>`
    SELECT rule AS "rule", n AS "n", firstUs AS "firstUs", lastUs AS "lastUs",
      lastEventId AS "lastEventId"
    FROM decisions_rule_failures
    WHERE namespace = ${namespace} AND (${policy} IS NULL OR policy = ${policy})
      AND (${policyVersion} IS NULL OR policyVersion = ${policyVersion})
      AND startUs > ${fromUs - HOUR_US} AND startUs < ${untilUs}
    ORDER BY startUs`
}
