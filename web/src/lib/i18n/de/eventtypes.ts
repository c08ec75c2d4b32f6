export const eventtypes = {
  "type.deprecated": "veraltet",
};
