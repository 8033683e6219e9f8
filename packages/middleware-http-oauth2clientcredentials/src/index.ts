import { fields, oneOf, string } from '@outrigger/kit'
import { defineHttpMiddleware } from '@outrigger/spec'
import { createClientCredentials } from './client-credentials.ts'

export default defineHttpMiddleware({
  type: 'middleware.http.oauth2clientcredentials',
  title: 'OAuth 2 client credentials',
  description:
    'Adds a token to each request, which the sidecar gets by the client credentials flow of OAuth 2.',
  versions: {
    v1: {
      metadata: fields({
        clientId: string({
          name: 'clientID',
          description: 'The id that the provider gave the application.',
          required: true,
          example: 'my-app',
        }),
        clientSecret: string({
          description: 'The secret that goes with it.',
          required: true,
          sensitive: true,
        }),
        scopes: string({
          description: 'What the token is for, between commas or blanks.',
          required: true,
          example: 'read,write',
        }),
        tokenUrl: string({
          name: 'tokenURL',
          description: 'Where the provider gives tokens.',
          required: true,
          example: 'https://accounts.example.com/token',
        }),
        headerName: string({
          description: 'The header in which the token goes on, after its type: `Bearer abc`.',
          required: true,
          example: 'authorization',
        }),
        endpointParamsQuery: string({
          description: 'More parameters for the request of a token, as a query.',
          example: 'audience=https%3A%2F%2Fapi.example.com',
        }),
        authStyle: oneOf(['0', '1', '2'], {
          description:
            'How the client shows who it is: 1 in the body, 2 by basic authentication, 0 finds out which of them the provider takes.',
          default: '0',
        }),
        pathFilter: string({
          description: 'Regular expression (RE2) of the paths that get a token; without it all do.',
          example: '^/v1\\.0/invoke/shop/',
        }),
      }),
      capabilities: [],
      create: createClientCredentials,
    },
  },
})
