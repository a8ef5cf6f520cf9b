/** libp2p 3 needs `Promise.withResolvers`, which Node has from 22 on. Imported for its effect, before libp2p. */
interface Resolvers {
  promise: Promise<unknown>;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

const promises = Promise as { withResolvers?: () => Resolvers };
promises.withResolvers ??= () => {
  let resolve: Resolvers['resolve'] = () => {};
  let reject: Resolvers['reject'] = () => {};
  const promise = new Promise((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
};
