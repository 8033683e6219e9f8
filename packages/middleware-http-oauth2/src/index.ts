import { bool, fields, string } from '@outrigger/kit'
import { defineHttpMiddleware } from '@outrigger/spec'
import { createOAuth2 } from './oauth2.ts'

export default defineHttpMiddleware({
  type: 'middleware.http.oauth2',
  title: 'OAuth 2',
  description: 'Signs users in by the authorization code flow of OAuth 2.',
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
          description:
            'The secret that goes with it. The cookies are sealed with a key that is derived from it.',
          required: true,
          sensitive: true,
        }),
        scopes: string({
          description: 'What the application may do in the name of the user, between commas or blanks.',
          example: 'openid email',
        }),
        authUrl: string({
          name: 'authURL',
          description: 'Where the provider signs users in.',
          required: true,
          example: 'https://accounts.google.com/o/oauth2/v2/auth',
        }),
        tokenUrl: string({
          name: 'tokenURL',
          description: 'Where the provider gives tokens.',
          required: true,
          example: 'https://oauth2.googleapis.com/token',
        }),
        redirectUrl: string({
          name: 'redirectURL',
          description:
            'Where the provider sends users back to: an address that leads here. It must be one that is registered with the provider.',
          example: 'https://shop.example.com/signed-in',
        }),
        authHeaderName: string({
          description: 'The header in which the application finds the token, after its type: `Bearer abc`.',
          default: 'Authorization',
        }),
        forceHttps: bool({
          name: 'forceHTTPS',
          description: 'Users come back by https, whatever they came by, and cookies are sent by https only.',
          default: 'false',
        }),
        pathFilter: string({
          description: 'Regular expression (RE2) of the paths that need a user; without it all do.',
          example: '^/v1\\.0/invoke/shop/',
        }),
      }),
      capabilities: [],
      create: createOAuth2,
    },
  },
})
