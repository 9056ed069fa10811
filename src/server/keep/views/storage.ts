import { WARNING_DAYS, type DiskPart } from '../../disk.ts'
import { serverErrors } from '../errors.ts'
import type { Handlers } from '../handlers.ts'
import type { Rooms } from '../rooms.ts'

const titles: Readonly<Record<DiskPart, string>> = {
  journal: 'Journal: every event, label and decision',
  index: 'Index of ids',
  metadata: 'Metadata: table of decisions, audit log, runs',
}

export function storageViews({ disk }: Pick<Rooms, 'disk'>): Pick<Handlers, 'storage'> {
  return {
    async storage() {
      const report = await disk.report()
      if (report === undefined) {
        throw serverErrors.disk_unreadable('The folders of the home could not be measured.')
      }
      const { overUs, parts, ...rest } = report
      return {
        ...rest,
        measuredOverS: overUs / 1e6,
        parts: parts.map((part) => ({ ...part, title: titles[part.part] })),
        warningDays: WARNING_DAYS,
      }
    },
  }
}
