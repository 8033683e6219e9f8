import { ComponentError, isComponentError, type ComponentErrorCode } from '@outrigger/spec'

const meanings: Readonly<Record<string, readonly [ComponentErrorCode, string]>> = {
  ENOENT: ['NOT_FOUND', 'file not found'],
  ENOTDIR: ['FAILED_PRECONDITION', 'a part of the path is a file and not a folder'],
  EEXIST: ['FAILED_PRECONDITION', 'a part of the path is a file and not a folder'],
  ENOTEMPTY: ['FAILED_PRECONDITION', 'the folder is not empty'],
  EISDIR: ['INVALID_ARGUMENT', 'it is a folder and not a file'],
  ENAMETOOLONG: ['INVALID_ARGUMENT', 'the name is too long'],
  ELOOP: ['INVALID_ARGUMENT', 'it is a symbolic link that leads nowhere'],
  EACCES: ['PERMISSION_DENIED', 'this process may not do that'],
  EPERM: ['PERMISSION_DENIED', 'this process may not do that'],
  EROFS: ['PERMISSION_DENIED', 'the file system is read-only'],
  ENOSPC: ['RESOURCE_EXHAUSTED', 'the disk is full'],
  EDQUOT: ['RESOURCE_EXHAUSTED', 'the quota of the disk is used up'],
  EMFILE: ['RESOURCE_EXHAUSTED', 'too many files are open'],
  ENFILE: ['RESOURCE_EXHAUSTED', 'too many files are open'],
}

/** What a failure of the file system means to the caller. */
export function fileError(error: unknown, fileName: string): ComponentError {
  if (isComponentError(error)) return error
  const [code, meaning] = meanings[(error as NodeJS.ErrnoException).code ?? ''] ?? [
    'INTERNAL',
    'the file system failed',
  ]
  return new ComponentError(code, `fileName ${JSON.stringify(fileName)}: ${meaning}`, { cause: error })
}
