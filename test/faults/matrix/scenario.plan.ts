/** One linear model: the matrix is about states, and the smallest sums have all of them. */
export const plan = (
  name: string,
  { holders = 3, threshold = 3, contributors = 4, rounds = 1, onDeadline = 'proceed-with-quorum' } = {},
): string => `
schema: 1
plan: ${name}
sample: { of: [temperature], summarise: [last] }
target: { variable: product_concentration }
normalisation: none
model: { kind: linear }
training: { initialRange: 1 }
rounds: ${rounds}
quorum: { minContributors: ${contributors}, absentAfterPolls: 1000, deadline: 10 h, onDeadline: ${onDeadline} }
privacy: { keyHolders: ${holders}, threshold: ${threshold}, collusionBound: 1 }
`;
