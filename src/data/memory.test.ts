import { datasetCatalogCases, quarantineStoreCases, type DataStores } from './catalog.cases.ts'
import { createMemoryCatalog, createMemoryQuarantine, createMemorySnapshots } from './memory.ts'
import { snapshotStoreCases } from './snapshot-store.cases.ts'
import { versionStoreCases } from './versions-store.cases.ts'

async function open(): Promise<DataStores> {
  const quarantine = createMemoryQuarantine()
  const openRows = (dataset: string) => quarantine.openRows(dataset)
  return { catalog: createMemoryCatalog(openRows), quarantine }
}

snapshotStoreCases('memory', async () => createMemorySnapshots())
datasetCatalogCases('memory', open)
quarantineStoreCases('memory', open)
versionStoreCases('memory', async () => {
  const catalog = createMemoryCatalog()
  return { catalog, versions: catalog.versions }
})
