import {
  ScalarType,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
} from '@bufbuild/protobuf'

/**
 * Everything about a file that decides what is on the wire, one line for each thing by its full name. What does
 * not is left out: the order of declarations, comments, options of other languages.
 */
export function factsOf(file: DescFile): Map<string, string> {
  const facts = new Map<string, string>()
  const addEnum = (desc: DescEnum) => {
    for (const { name, number } of desc.values) facts.set(`enum ${desc.typeName}.${name}`, `${number}`)
  }
  const addMessage = (desc: DescMessage) => {
    facts.set(`message ${desc.typeName}`, '')
    for (const field of desc.fields) facts.set(`field ${desc.typeName}.${field.name}`, factOf(field))
    desc.nestedEnums.forEach(addEnum)
    desc.nestedMessages.forEach(addMessage)
  }
  file.enums.forEach(addEnum)
  file.messages.forEach(addMessage)
  for (const { typeName, methods } of file.services) {
    for (const { name, methodKind, input, output } of methods) {
      facts.set(`method /${typeName}/${name}`, `${methodKind} ${input.typeName} -> ${output.typeName}`)
    }
  }
  return facts
}

function factOf(field: DescField): string {
  const parts = [`${field.number}`, field.fieldKind, typeOf(field), `json ${field.jsonName}`]
  if (field.oneof) parts.push(`oneof ${field.oneof.name}`)
  if (field.proto.proto3Optional) parts.push('optional')
  if (field.fieldKind === 'list') parts.push(field.packed ? 'packed' : 'not packed')
  return parts.join(', ')
}

function typeOf(field: DescField): string {
  const key = field.fieldKind === 'map' ? `${ScalarType[field.mapKey]} to ` : ''
  return key + (field.message?.typeName ?? field.enum?.typeName ?? ScalarType[field.scalar ?? 0])
}
