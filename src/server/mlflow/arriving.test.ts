import { expect, test } from 'vitest'
import { arrivingMax, createArriving } from './arriving.ts'

test('so many files arrive at once, of one identity fewer, and each that ends makes room', async () => {
  const arriving = createArriving()
  const ends: (() => void)[] = []
  const begin = (id: string) =>
    arriving.during(id, () => new Promise<void>((resolve) => ends.push(resolve)))
  const { all, perIdentity } = arrivingMax
  const running = Array.from({ length: all }, (_, i) => begin(`i${Math.floor(i / perIdentity)}`))
  expect(ends).toHaveLength(all)
  await expect(begin('other')).rejects.toMatchObject({ code: 'mlflow_uploads_full', status: 429 })
  ends[all - 1]()
  await running[all - 1]
  await expect(begin('i0')).rejects.toThrow(`${perIdentity} of i0 files`)
  const last = begin('other')
  for (const end of ends) end()
  await Promise.all([...running, last])
  await expect(arriving.during('i0', async () => 'done')).resolves.toBe('done')
  await expect(
    arriving.during('i0', async () => {
      throw new Error('cut off')
    }),
  ).rejects.toThrow('cut off')
  expect(await arriving.during('i0', async () => 'again')).toBe('again')
})
