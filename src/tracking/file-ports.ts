/** Whose file it is: a run's, a logged model's, or of the one folder for everything else (id ''). */
export interface FileOwner {
  readonly kind: 'run' | 'logged-model' | 'folder'
  readonly id: string
}

/** A file by its name; its bytes are in the artifact store under `sha256`. */
export interface StoredFile {
  /** Relative, parts divided by '/'. */
  readonly path: string
  readonly contentType: string
  readonly sha256: string
  /** Bytes. */
  readonly size: number
  readonly putAtUs: number
}

/** A file or a folder of a listing. */
export interface FileEntry {
  readonly path: string
  readonly isFolder: boolean
  /** Bytes; of a folder those of all files below it. */
  readonly size: number
}

/**
 * Names of files over contents. A folder is where files lie below a name; an empty one does not
 * exist. Names are ordered by their UTF-8 bytes.
 */
export interface FileStore {
  /** Replaces a file of the same path; the content it had is loose from then on. */
  put(owner: FileOwner, file: StoredFile): Promise<void>
  file(owner: FileOwner, path: string): Promise<StoredFile | undefined>
  /** Files at any depth below a folder ('': all), by path. */
  filesBelow(
    owner: FileOwner,
    folder: string,
    page: { readonly limit: number; readonly after?: string | undefined },
  ): Promise<StoredFile[]>
  /** What lies in a folder itself, by path. */
  entries(
    owner: FileOwner,
    folder: string,
    page: { readonly limit: number; readonly after?: string | undefined },
  ): Promise<FileEntry[]>
  /** Removes the file of that path, or all below the folder of that path ('': all). */
  remove(owner: FileOwner, path: string, atUs: number): Promise<StoredFile[]>
  /** Marks contents as loose from an instant on: perhaps nothing names them. */
  loosen(hashes: readonly string[], atUs: number): Promise<void>
  /** Contents that are loose since before an instant, oldest first; those that are named go off the list. */
  loose(beforeUs: number, limit: number): Promise<string[]>
  /** Which of these contents nothing names and the list does not have. */
  strays(hashes: readonly string[]): Promise<string[]>
  /** Takes contents off the list. */
  forget(hashes: readonly string[]): Promise<void>
}

/**
 * Bytes on their way in, by name, which a restart of the process throws away. Names are made here,
 * never by a client.
 */
export interface PartStore {
  /** Error: `artifact_too_large` beyond the limit, and nothing stays; `artifact_store_full`. */
  write(
    name: string,
    content: AsyncIterable<Uint8Array>,
    limitBytes: number,
  ): Promise<{ sha256: string; size: number }>
  read(name: string): AsyncIterable<Uint8Array>
  /** Nothing happens where there is none. */
  remove(name: string): Promise<void>
}
