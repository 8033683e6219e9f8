import { bool, fields, string } from '@outrigger/kit'

export const metadata = fields({
  secretsFile: string({
    description:
      'Path of the JSON file. A relative path counts from the folder where the process was started.',
    required: true,
    example: 'secrets.json',
  }),
  nestedSeparator: string({
    description: 'What stands between the names of nested objects when they are flattened to one name.',
    default: ':',
    example: '.',
  }),
  multiValued: bool({
    description: 'Each name at the top of the file is one secret, which may hold several keys and values.',
    default: 'false',
  }),
})

export interface FileMetadata {
  readonly secretsFile: string
  readonly nestedSeparator: string
  readonly multiValued: boolean
}
