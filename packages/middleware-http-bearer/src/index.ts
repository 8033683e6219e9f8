import { fields, string } from '@outrigger/kit'
import { defineHttpMiddleware } from '@outrigger/spec'
import { createBearer } from './bearer.ts'

export default defineHttpMiddleware({
  type: 'middleware.http.bearer',
  title: 'Bearer',
  description: 'Lets only requests through that bring a token of an OpenID provider.',
  versions: {
    v1: {
      metadata: fields({
        issuer: string({
          aliases: ['issuerURL'],
          description: 'Who must have issued the token: exactly what its claim `iss` says.',
          required: true,
          example: 'https://accounts.google.com',
        }),
        audience: string({
          aliases: ['clientID'],
          description:
            'For whom the token must be: one of what its claim `aud` says. Often the id of a client.',
          required: true,
          example: 'my-app',
        }),
        jwksUrl: string({
          name: 'jwksURL',
          description:
            'Where the keys of the issuer are. Without it the issuer is asked, at `/.well-known/openid-configuration`.',
          example: 'https://www.googleapis.com/oauth2/v3/certs',
        }),
      }),
      capabilities: [],
      create: createBearer,
    },
  },
})
