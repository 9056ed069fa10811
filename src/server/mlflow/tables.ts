// All endpoints behind MLflow's door. A new subject is one file and one line here.
import { artifactEndpoints } from './artifacts.ts'
import type { Endpoint } from './endpoint.ts'
import { experimentEndpoints } from './experiments.ts'
import { loggedModelEndpoints } from './logged-models.ts'
import { loggingEndpoints } from './logging.ts'
import { metricEndpoints } from './metrics.ts'
import { modelEndpoints } from './models.ts'
import { versionEndpoints } from './model-versions.ts'
import { runEndpoints } from './runs.ts'
import { webhookEndpoints } from './webhooks.ts'

export const endpoints: readonly Endpoint[] = [
  ...experimentEndpoints,
  ...runEndpoints,
  ...loggingEndpoints,
  ...metricEndpoints,
  ...loggedModelEndpoints,
  ...modelEndpoints,
  ...versionEndpoints,
  ...webhookEndpoints,
  ...artifactEndpoints,
]
