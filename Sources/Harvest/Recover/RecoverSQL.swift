import DuckDB

/// Where each batch of the table says it comes from. A row per batch, unless somebody has written others under its id.
func batchPlacesStatement(_ relation: SQL) -> SQL {
  """
  SELECT batch, region, zone, node, stream, epoch(rotated)::BIGINT AS rotated FROM \(relation) GROUP BY ALL ORDER BY ALL
  """
}
