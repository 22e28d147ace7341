import { BATCH_METRICS as BATCH } from '../../../../core/batch/contract.ts';
import { GREEN, type Graph, ORANGE, ownLine, PERIOD, RED } from '../dashboard/lines.ts';

export const batchGraph: Graph = ({ name }, functionName, { region }) => ({
  title: `${name}: rows from S3`,
  region,
  view: 'timeSeries',
  period: PERIOD,
  stat: 'Sum',
  metrics: [
    ownLine(`${functionName}-batch`, BATCH.rows, { label: 'rows' }),
    ownLine(`${functionName}-batch`, BATCH.rowErrors, { label: 'of them faulty', color: ORANGE }),
    ownLine(`${functionName}-batch`, BATCH.jobsDone, { label: 'objects done', color: GREEN, yAxis: 'right' }),
    ownLine(`${functionName}-batch`, BATCH.jobsFailed, {
      label: 'objects failed',
      color: RED,
      yAxis: 'right',
    }),
  ],
  yAxis: { right: { min: 0, showUnits: false } },
});
