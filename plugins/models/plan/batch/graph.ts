import { METRICS as BATCH } from '../../../../core/batch/contract.ts';
import { GREEN, type Graph, ORANGE, own, PERIOD, RED } from '../dashboard/lines.ts';

export const batchGraph: Graph = ({ name }, functionName, { region }) => ({
  title: `${name}: rows from S3`,
  region,
  view: 'timeSeries',
  period: PERIOD,
  stat: 'Sum',
  metrics: [
    own(`${functionName}-batch`, BATCH.rows, { label: 'rows' }),
    own(`${functionName}-batch`, BATCH.rowErrors, { label: 'of them faulty', color: ORANGE }),
    own(`${functionName}-batch`, BATCH.jobsDone, { label: 'objects done', color: GREEN, yAxis: 'right' }),
    own(`${functionName}-batch`, BATCH.jobsFailed, { label: 'objects failed', color: RED, yAxis: 'right' }),
  ],
  yAxis: { right: { min: 0, showUnits: false } },
});
