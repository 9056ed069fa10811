import { join } from 'node:path'
import type { Home } from '../projects/index.ts'

/** Where the engine keeps files in a home. */
export function pipelineFolders(home: Pick<Home, 'root'>) {
  const root = join(home.root, 'pipelines')
  return {
    objects: join(root, 'objects'),
    logs: join(root, 'logs'),
    scratch: join(root, 'scratch'),
  }
}
