// Answers, for each line {statements, requests: [[action, arn, context]…]}, which requests IAM would allow.
// The evaluator is cloud-copilot's: it shares no code with the construct, nor with the embedded AWS.
import { createInterface } from "node:readline";

import { runSimulation } from "@cloud-copilot/iam-simulate";

const ACCOUNT = "111122223333";
const BUCKET = "arn:aws:s3:::any";

async function isAllowed(statements, [action, arn, context]) {
  if (arn.includes("*")) {
    const patterns = statements.filter((each) => each.Action.includes(action)).flatMap((each) => each.Resource);
    const condition = { StringLike: { "s3:prefix": patterns } };
    const statement = { Effect: "Allow", Action: "s3:ListBucket", Resource: BUCKET, Condition: condition };
    return isAllowed([statement], ["s3:ListBucket", BUCKET, { "s3:prefix": arn }]);
  }
  const request = {
    principal: `arn:aws:iam::${ACCOUNT}:role/somebody`,
    action,
    resource: { resource: arn, accountId: ACCOUNT },
    contextVariables: context,
  };
  const policy = { Version: "2012-10-17", Statement: statements };
  const simulation = {
    request,
    identityPolicies: [{ name: "policy", policy }],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  const answer = await runSimulation(simulation, {});
  if (answer.resultType === "error") throw new Error(`${JSON.stringify(answer.errors)} ${JSON.stringify(request)}`);
  return answer.overallResult === "Allowed";
}

for await (const line of createInterface({ input: process.stdin })) {
  const { statements, requests } = JSON.parse(line);
  const answers = [];
  for (const request of requests) answers.push(await isAllowed(statements, request));
  console.log(JSON.stringify(answers));
}
