import { reasonPhrase as registered } from '@outrigger/wire'

/** As callers of Dapr know them, where they are called otherwise today. */
const former: Readonly<Record<number, string>> = {
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  416: 'Requested Range Not Satisfiable',
  418: "I'm a teapot",
  422: 'Unprocessable Entity',
}

/** What an HTTP status that is no success is called; empty when it has no name. */
export function reasonPhrase(status: number): string {
  return status < 300 ? '' : (former[status] ?? registered(status))
}
