import { accessStoreCases } from '../../access/store.cases.ts'
import { auditStoreCases } from '../../audit/store.cases.ts'
import { datasetCatalogCases, quarantineStoreCases } from '../../data/catalog.cases.ts'
import { caseGroupCases } from '../../decisions/case-groups.cases.ts'
import { labelledCases } from '../../decisions/labelled.cases.ts'
import { readModelCases } from '../../decisions/read-model.cases.ts'
import { actionStoreCases } from '../../decisions/action-store.cases.ts'
import { setAsideCases } from '../../decisions/set-aside.cases.ts'
import { governanceStoreCases } from '../../governance/store.cases.ts'
import { registryStoreCases } from '../../registry/store.cases.ts'
import { webhookStoreCases } from '../../registry/webhooks/store.cases.ts'
import { challengerCases } from '../../serving/challengers.cases.ts'
import { releaseCases } from '../../serving/release.cases.ts'
import { deploymentStoreCases } from '../../serving/store.cases.ts'
import { trackingListCases } from '../../tracking/lists.cases.ts'
import { runSearchCases } from '../../tracking/search.cases.ts'
import { trackingStoreCases } from '../../tracking/store.cases.ts'
import { openForTest, openStore, openTemporary } from './temporary.cases.ts'

auditStoreCases('SQLite', () => openStore('audit'))
accessStoreCases('SQLite', () => openStore('access'))
trackingStoreCases('SQLite', () => openStore('tracking'))
runSearchCases('SQLite', () => openStore('tracking'))
trackingListCases('SQLite', () => openStore('tracking'))
registryStoreCases('SQLite', () => openStore('registry'))
webhookStoreCases('SQLite', () => openStore('webhooks'))
actionStoreCases('SQLite', () => openStore('actions'))
setAsideCases('SQLite', () => openStore('setAside'))
governanceStoreCases('SQLite', () => openStore('governance'))
deploymentStoreCases('SQLite', () => openStore('deployments'))
releaseCases('SQLite', async () => openTemporary())
challengerCases('SQLite', async () => openTemporary())
datasetCatalogCases('SQLite', async () => openForTest())
quarantineStoreCases('SQLite', async () => openForTest())
readModelCases('SQLite', async () => openForTest().decisions)
labelledCases('SQLite', async () => openForTest().decisions)
caseGroupCases('SQLite', async () => openForTest().decisions)
