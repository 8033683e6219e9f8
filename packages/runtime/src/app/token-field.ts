/** By this the application knows its sidecar. */
export const tokenField = 'dapr-api-token'
