/**
 * The contract between the server and the page (and anyone else who calls the API): schemas, their
 * types, and one table of routes. It knows no room; times are ISO 8601 in UTC, money is minor units
 * with currency and exponent, every rate carries its n, every verdict is the server's.
 */
export * from './addresses.ts'
export * from './audit.ts'
export * from './cases.ts'
export * from './shapes.ts'
export * from './data.ts'
export * from './data-versions.ts'
export * from './decisions.ts'
export * from './experiments.ts'
export * from './features.ts'
export * from './governance.ts'
export * from './learning.ts'
export * from './models.ts'
export * from './monitoring.ts'
export * from './objects.ts'
export * from './overview.ts'
export * from './lineage.ts'
export * from './pipelines.ts'
export * from './routes.ts'
export * from './run.ts'
export * from './session.ts'
export * from './training.ts'
