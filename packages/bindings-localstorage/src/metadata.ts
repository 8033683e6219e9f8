import { fields, list, string } from '@outrigger/kit'

export const metadata = fields({
  rootPath: string({
    description:
      'The folder that holds the files; it is made if there is none. A relative path counts from the folder where the process was started. It cannot be in /proc, /sys, /boot or /var/run/secrets.',
    required: true,
    example: '/var/lib/orders/files',
  }),
  direction: list({
    description: 'The direction of the binding; this one is an output. Read by the runtime.',
    example: 'output',
  }),
})

export interface LocalStorageMetadata {
  readonly rootPath: string
}
