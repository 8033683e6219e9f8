import { fields, string } from '@outrigger/kit'

export const metadata = fields({
  path: string({
    description:
      'The folder that holds the keys, each in a file of its own. A relative path counts from the folder where the process was started.',
    required: true,
    example: '/etc/orders/keys',
  }),
})

export interface FolderMetadata {
  readonly path: string
}
