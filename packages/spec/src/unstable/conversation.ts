import type { ComponentDefinition, DefinitionInput } from '../definition.ts'
import type { LiveComponent, Metadata, OperationOptions } from '../operation.ts'

/** `tools`: function calling. `structuredOutput`: answers that follow a JSON Schema. `promptCache`: retention of prompts. */
export type ConversationCapability = 'tools' | 'structuredOutput' | 'promptCache'

export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON text, as the model wrote it. */
  readonly arguments: string
}

export type ConversationMessage =
  | {
      readonly role: 'developer' | 'system' | 'user'
      readonly name?: string | undefined
      readonly text: string
    }
  | {
      readonly role: 'assistant'
      readonly name?: string | undefined
      readonly text?: string | undefined
      readonly toolCalls?: readonly ToolCall[] | undefined
    }
  | { readonly role: 'tool'; readonly toolId: string; readonly name: string; readonly text: string }

export interface Tool {
  readonly name: string
  readonly description?: string | undefined
  /** JSON Schema of the arguments. */
  readonly parameters?: unknown
}

export interface ConverseRequest {
  readonly messages: readonly ConversationMessage[]
  readonly contextId?: string | undefined
  readonly temperature?: number | undefined
  readonly tools?: readonly Tool[] | undefined
  readonly toolChoice?: 'none' | 'auto' | 'required' | { readonly name: string } | undefined
  /** JSON Schema of the answer. */
  readonly responseFormat?: unknown
  readonly promptCacheRetentionMs?: number | undefined
  /** Parameters of the provider, passed on as they are. */
  readonly parameters?: Readonly<Record<string, unknown>> | undefined
  readonly metadata: Metadata
}

export interface ConverseResponse {
  readonly contextId?: string | undefined
  readonly model?: string | undefined
  readonly choices: readonly {
    readonly finishReason: string
    readonly index: number
    readonly message: {
      readonly text?: string | undefined
      readonly toolCalls?: readonly ToolCall[] | undefined
    }
  }[]
  readonly usage?:
    | { readonly promptTokens: number; readonly completionTokens: number; readonly totalTokens: number }
    | undefined
}

/** Scrubbing personal data, in and out, is the runtime's business. */
export interface ConversationProvider extends LiveComponent {
  readonly capabilities: ReadonlySet<ConversationCapability>
  converse(request: ConverseRequest, options: OperationOptions): Promise<ConverseResponse>
}

export const conversationContract = 'conversation/0'
export type ConversationDefinition = ComponentDefinition<
  typeof conversationContract,
  ConversationCapability,
  ConversationProvider
>

export function defineConversation<V extends object>(
  definition: DefinitionInput<V, ConversationCapability, ConversationProvider>,
): ConversationDefinition {
  return { contract: conversationContract, ...definition } as ConversationDefinition
}
